// dlspec counts lines and columns from 1, in characters; CodeMirror counts UTF-16 units from the start.

const units = (text, characters) => {
  let at = 0
  for (let i = 0; i < characters && at < text.length; i++) at += text.codePointAt(at) > 0xffff ? 2 : 1
  return at
}

export function offset(doc, line, column) {
  const found = doc.line(Math.min(Math.max(1, line), doc.lines))
  return found.from + units(found.text, column - 1)
}

/** From and to of a span; at least one character, so that it can be seen. */
export function range(doc, span) {
  const from = offset(doc, span.line, span.column)
  const to = offset(doc, span.end_line, span.end_column)
  if (to > from) return { from, to }
  const line = doc.lineAt(from)
  return from < line.to ? { from, to: from + 1 } : { from: Math.max(line.from, from - 1), to: from }
}

/** Line and column of an offset, as dlspec counts. */
export function place(doc, at) {
  const line = doc.lineAt(at)
  return { line: line.number, column: [...line.text.slice(0, at - line.from)].length + 1 }
}
