"""What there is to write: the reference, the schema for editors, `dlspec layers`."""
