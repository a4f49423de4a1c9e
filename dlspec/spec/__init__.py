"""All sections together: `extends` and variables, `Spec`, rules, plan, first spec."""
