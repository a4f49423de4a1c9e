"""`data:`: datasets, files, types of columns, the split, preparation, checks of loaded data."""
