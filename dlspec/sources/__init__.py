"""Files -> columns, one file for each form that data can have."""
