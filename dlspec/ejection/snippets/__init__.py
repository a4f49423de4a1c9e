"""Functions that ejected scripts have copies of. They are plain Python without dlspec, with nothing above them but
imports that a script may have, and they are tested against what dlspec computes itself."""
