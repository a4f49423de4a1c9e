// The editor of the text: CodeMirror with what dlspec says about it.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { yaml } from '@codemirror/lang-yaml'
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language'
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search'
import { Compartment, EditorState, Prec } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { offset, place, range } from './places.js'

const colors = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--key)' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--soft)', fontStyle: 'italic' },
  { tag: [tags.string, tags.content], color: 'var(--ink)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--value)' },
])

const theme = EditorView.theme({
  '&': { height: '100%', fontSize: '13.5px', color: 'var(--ink)', backgroundColor: 'var(--paper)' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--ink)', paddingBottom: '40vh' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'var(--paper)', color: 'var(--soft)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--tint)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--select) !important' },
  '.cm-tooltip': { backgroundColor: 'var(--paper)', color: 'var(--ink)', border: '1px solid var(--box)', borderRadius: '8px', maxWidth: '34rem' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--blue)', color: 'var(--on-blue)' },
  '.cm-panels': { backgroundColor: 'var(--tint)', color: 'var(--ink)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--red) 1.5px', textUnderlineOffset: '3px' },
  '.cm-lintRange-warning': { backgroundImage: 'none', textDecoration: 'underline wavy var(--amber) 1.5px', textUnderlineOffset: '3px' },
  '.cm-lintRange-info': { backgroundImage: 'none', textDecoration: 'underline dotted var(--blue) 1.5px', textUnderlineOffset: '3px' },
  '.told': { padding: '.3rem .7rem', maxHeight: '18rem', overflow: 'auto', fontFamily: 'system-ui, sans-serif', fontSize: '13px' },
  '.told p': { margin: '.25rem 0' },
  '.told .item': { paddingLeft: '.8rem' },
  '.told pre': { margin: '.3rem 0', padding: '.4rem .6rem', background: 'var(--tint)', borderRadius: '6px' },
  '.told code': { background: 'var(--tint)', borderRadius: '4px', padding: '0 .25em' },
  '.cm-diagnostic': { padding: '.4rem .7rem', whiteSpace: 'pre-wrap' },
})

const SEVERITY = { error: 'error', warning: 'warning', note: 'info' }

/**
 * @param {HTMLElement} parent
 * @param {{label: string, changed: (text: string, began: number) => void, moved: (place: {line: number}) => void,
 *   train: () => void, save: () => void, complete: Function, hover: any}} to
 */
export function makeEditor(parent, to) {
  const label = new Compartment()
  const labelled = (text) => EditorView.contentAttributes.of({ 'aria-label': text, tabindex: '0' })
  const command = (run) => () => {
    run()
    return true
  }
  const extensions = [
    EditorView.cspNonce.of(document.querySelector('meta[name=csp-nonce]').content),
    lineNumbers(), foldGutter(), highlightActiveLine(), highlightActiveLineGutter(), drawSelection(), history(),
    bracketMatching(), closeBrackets(), highlightSelectionMatches(), search({ top: true }), lintGutter(),
    EditorState.tabSize.of(2), indentUnit.of('  '), yaml(), syntaxHighlighting(colors), theme, EditorView.lineWrapping,
    label.of(labelled(to.label)),
    Prec.highest(
      keymap.of([
        { key: 'Mod-Enter', run: command(to.train) },
        { key: 'Mod-s', run: command(to.save), preventDefault: true },
      ]),
    ),
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap]),
    autocompletion({ override: [to.complete], icons: false }),
    to.hover,
    EditorView.updateListener.of((update) => {
      if (update.docChanged) to.changed(update.state.doc.toString(), performance.now())
      if (update.selectionSet || update.docChanged) to.moved(place(update.state.doc, update.state.selection.main.head))
    }),
  ]
  const view = new EditorView({ parent, state: EditorState.create({ doc: '', extensions }) })

  return {
    view,
    destroy: () => view.destroy(),
    label: (text) => view.dispatch({ effects: label.reconfigure(labelled(text)) }),
    load(text) {
      view.setState(EditorState.create({ doc: text, extensions }))
      to.moved({ line: 1, column: 1 })
    },
    goto(line, column = 1) {
      const at = offset(view.state.doc, line, column)
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) })
      view.focus()
    },
    /** Changes of places to texts, together; places are as dlspec counts. */
    replace(edits) {
      const doc = view.state.doc
      view.dispatch({ changes: edits.map((edit) => ({ ...plain(doc, edit), insert: edit.text })), userEvent: 'input' })
    },
    /** Puts items of a list behind the line of the cursor, as deep as the item that is there or above. */
    insert(text) {
      const { doc, selection } = view.state
      const { at, indent } = listPlace(doc, doc.lineAt(selection.main.head).number)
      const lines = text.trimEnd().split('\n').map((line) => indent + line)
      const line = doc.line(at)
      const inserted = `\n${lines.join('\n')}`
      view.dispatch({
        changes: { from: line.to, insert: inserted },
        selection: { anchor: line.to + inserted.length },
        scrollIntoView: true,
        userEvent: 'input',
      })
      view.focus()
    },
    diagnose(found) {
      const doc = view.state.doc
      const shown = found.filter((each) => each.here).map((each) => ({
        ...range(doc, each),
        severity: SEVERITY[each.severity],
        source: each.code,
        message: [each.message, each.help && `→ ${each.help}`, ...each.notes].filter(Boolean).join('\n'),
      }))
      shown.sort((a, b) => a.from - b.from)
      view.dispatch(setDiagnostics(view.state, shown))
    },
  }
}

const plain = (doc, span) => ({ from: offset(doc, span.line, span.column), to: offset(doc, span.end_line, span.end_column) })

/** The line behind which an item of the list of layers goes, and its indent. */
function listPlace(doc, from) {
  const text = (n) => doc.line(n).text
  const item = (n) => /^(\s*)- /.exec(text(n)) ?? /^(\s*)-$/.exec(text(n))
  const model = [...Array(doc.lines).keys()].map((n) => n + 1).find((n) => /^(model|모델)\s*:/.test(text(n)))
  const indentOf = (n) => /^\s*/.exec(text(n))[0].length
  const sectionOf = (n) => {
    while (n > 1 && !/^\S/.test(text(n))) n--
    return n
  }
  let at = from
  if (model !== undefined && sectionOf(from) !== model) {
    // the cursor is elsewhere: behind the last layer above the output
    at = model
    for (let n = model + 1; n <= doc.lines && !/^[^\s#-]/.test(text(n)); n++)
      if (item(n) && !/^\s*- *(output|출력)\b/.test(text(n))) at = n
  }
  let n = at
  while (n > 1 && !item(n) && !/^\S/.test(text(n))) n--
  const found = item(n)
  if (!found) return { at, indent: '  ' }
  if (/^\s*- *(output|출력)\b/.test(text(n)) && n > 1) return { at: n - 1, indent: found[1] }
  let end = n // an item may have several lines
  while (end < doc.lines && text(end + 1).trim() && indentOf(end + 1) > found[1].length) end++
  return { at: at > n && at <= end && item(at) ? at : end, indent: found[1] }
}
