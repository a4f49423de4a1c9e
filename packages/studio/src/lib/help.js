// Completion and explanations in the editor: dlspec says both, in the language of the page.

import { hoverTooltip } from '@codemirror/view'
import { post } from './api.js'
import { offset, place } from './places.js'
import { studio } from './studio.svelte.js'
import { speech } from './words.svelte.js'

const TYPES = { key: 'property', layer: 'class', name: 'class', value: 'constant', column: 'variable', file: 'text', variable: 'variable', block: 'class' }

const ask = (path, doc, at) =>
  post(path, { text: doc.toString(), file: studio.file, language: speech.language, ...place(doc, at) }).catch(() => ({}))

/** For `autocompletion`. */
export async function complete(context) {
  const { doc } = context.state
  const line = doc.lineAt(context.pos)
  if (!context.explicit && !/[\w\p{L}:[{,-]\s?$/u.test(line.text.slice(0, context.pos - line.from))) return null
  const { completions = [] } = await ask('/api/complete', doc, context.pos)
  if (!completions.length || context.aborted) return null
  const [first] = completions
  return {
    from: offset(doc, first.line, first.column),
    filter: false, // dlspec has sorted them, the likeliest first
    options: completions.map((each) => ({
      label: each.label,
      apply: each.text,
      detail: each.required ? '*' : undefined,
      type: TYPES[each.sort],
      info: () => markdown(each.documentation || each.detail),
    })),
  }
}

/** For the mouse over a word. */
export const hover = hoverTooltip(
  async (view, at) => {
    const { hover: found } = await ask('/api/hover', view.state.doc, at)
    if (!found) return null
    const { doc } = view.state
    return {
      pos: offset(doc, found.line, found.column),
      end: offset(doc, found.end_line, found.end_column),
      above: true,
      create: () => ({ dom: markdown(found.text) }),
    }
  },
  { hoverTime: 350 },
)

/** A little of Markdown as elements, never as HTML: paragraphs, lists, code and what is bold. */
function markdown(text) {
  const home = document.createElement('div')
  home.className = 'told'
  let code = null
  for (const line of (text ?? '').split('\n')) {
    if (line.startsWith('```')) {
      code = code ? null : home.appendChild(document.createElement('pre'))
      continue
    }
    if (code) {
      code.textContent += `${line}\n`
      continue
    }
    if (!line.trim()) continue
    const item = /^\s*[-*] (.*)$/.exec(line)
    const paragraph = home.appendChild(document.createElement('p'))
    if (item) paragraph.className = 'item'
    for (const part of (item ? item[1] : line.replace(/^#+ /, '')).split(/(`[^`]*`|\*\*[^*]+\*\*)/)) {
      const tag = part.startsWith('`') && part.length > 1 ? 'code' : part.startsWith('**') ? 'strong' : null
      if (tag) paragraph.appendChild(document.createElement(tag)).textContent = part.replace(/^[`*]+|[`*]+$/g, '')
      else paragraph.append(part)
    }
  }
  return home
}
