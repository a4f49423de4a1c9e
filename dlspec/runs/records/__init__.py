"""The files of a run folder as typed records, read with a diagnostic where they are not what they should be."""
