"""`dlspec studio`: a page on which specs are edited, trained and watched.

The server (`server`, `guard`, `routes`) loads neither numpy nor TensorFlow. Specs are checked in a process of its own
that can be killed (`checker`, `checking`), each run trains in a process of its own that outlives the server (`queue`,
`worker`), and what is true lies in files: run folders, and the jobs that wait. The page is in `packages/studio` and is
built into `page/`.
"""
