"""One page of HTML that runs an exported network in a browser, opened as a file."""
