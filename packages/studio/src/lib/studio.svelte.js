// What the page knows: the text that is edited and what dlspec says of it, runs, and the run that is watched.

import { get, post, Refused } from './api.js'
import { follow } from './stream.js'
import { emptyRun, happened } from './run.js'
import { t } from './words.svelte.js'

const DRAFT = 'dlspec-draft'
const CHECK_AGAIN = 500
const CURES_AFTER = 150
const KEPT = 1000
const MOST_AGAIN = 2

export const studio = $state({
  screen: 'edit',
  about: null,
  files: [],
  file: 'spiral_mlp.yaml',
  text: '',
  mark: null, // of the file as it was read or written last; null: it is in no file yet
  saved: '',
  opened: '', // the text as it was opened
  answer: null, // of the last check
  fold: null, // whether equal layers are one box; null: where there are many
  checking: false,
  palette: null,
  runs: [],
  jobs: [],
  watched: null, // the name of a run
  chosen: null, // the finished run that is tried, or taken away from
  run: emptyRun(),
  epoch: null, // the one that the slider shows; null: the last
  alive: true,
  trouble: null, // what the page has to say when something did not work
})

/** Set by the editor: changes and moves in its text. */
export const editor = { insert: () => {}, replace: () => {}, goto: () => {}, load: () => {} }

let pending = null
let again = 0
let running = false

/** Checks a text; while one check runs, only the last text waits. */
export function check(text, began = performance.now()) {
  studio.text = text
  keep()
  pending = { text, began }
  if (!running) next()
}

async function next() {
  running = true
  studio.checking = true
  while (pending) {
    const { text, began } = pending
    pending = null
    try {
      const answer = await post('/api/check', { text, file: studio.file, fold: studio.fold })
      if (text === studio.text || !pending) {
        studio.answer = { ...answer, text }
        if (answer.slow && !pending && again < MOST_AGAIN) {
          again++ // the machine may have been busy
          pending = { text, began }
          continue
        }
        again = 0
        cures(text)
        requestAnimationFrame(() => setTimeout(() => measured(began)))
      }
    } catch (error) {
      if (!(error instanceof Refused)) {
        studio.alive = false
        await new Promise((resolve) => setTimeout(resolve, CHECK_AGAIN))
        pending ??= { text, began }
      } else tell(error)
    }
  }
  studio.checking = false
  running = false
}

/** From a change of the text to what it changed, painted. */
function measured(began) {
  performance.measure('checked', { start: began })
  if (performance.getEntriesByName('checked').length > KEPT) performance.clearMeasures('checked')
}

let waiting = 0

/** Asks for cures once nobody types for a moment; they are tried out, which takes longer than a check. */
function cures(text) {
  clearTimeout(waiting)
  if (!studio.answer.diagnostics?.length) return
  waiting = setTimeout(async () => {
    const found = await post('/api/cure', { text, file: studio.file }).catch(() => null)
    if (found?.diagnostics && studio.text === text) studio.answer = { ...studio.answer, diagnostics: found.diagnostics }
  }, CURES_AFTER)
}

export function refold(fold) {
  studio.fold = fold
  check(studio.text)
}

function keep() {
  const { file, text, mark, saved } = studio
  sessionStorage.setItem(DRAFT, JSON.stringify({ file, text, mark, saved }))
}

export function tell(error) {
  studio.trouble = error?.message ?? String(error)
}

let stream = null

export async function start() {
  studio.about = await get('/api/about')
  const [listed, palette] = await Promise.all([get('/api/files'), get('/api/palette')])
  studio.files = listed.files
  studio.palette = palette
  const draft = JSON.parse(sessionStorage.getItem(DRAFT) ?? 'null')
  if (draft) open(draft)
  else {
    const [first] = palette.templates
    if (listed.files.includes(`${first.name}.yaml`)) await openFile(`${first.name}.yaml`)
    else openTemplate(first)
  }
  stream = follow(query, hear, (alive) => (studio.alive = alive))
}

function open({ file, text, mark = null, saved = mark === null ? '' : text }) {
  Object.assign(studio, { file, mark, saved, opened: text })
  editor.load(text)
  check(text)
}

export async function openFile(file) {
  try {
    const { text, mark } = await post('/api/files/read', { file })
    open({ file, text, mark })
  } catch (error) {
    tell(error)
  }
}

/** A template as a new text; it is in no file before it is saved. */
export function openTemplate(template) {
  let file = `${template.name}.yaml`
  for (let n = 2; studio.files.includes(file); n++) file = `${template.name}_${n}.yaml`
  open({ file, text: template.text })
}

/** Whether something would be lost with the text. */
export const isPrecious = () => isChanged() && studio.text !== studio.opened

export const isChanged = () => studio.text !== studio.saved || studio.mark === null

export async function save(file = studio.file, anyway = false) {
  try {
    const text = studio.text
    const mark = file === studio.file ? studio.mark : null
    const written = await post('/api/files/write', { file, text, mark, anyway })
    Object.assign(studio, { file, mark: written.mark, saved: text })
    studio.files = (await get('/api/files')).files
    keep()
    return true
  } catch (error) {
    if (error instanceof Refused && error.status === 409 && !anyway && confirm(t('overwrite', { file })))
      return save(file, true)
    tell(error)
    return false
  }
}

/** Trains the text as it is. */
export async function train() {
  try {
    const { job } = await post('/api/runs/train', { text: studio.text, file: studio.file })
    watch(job.run.replace(/^runs\//, ''))
  } catch (error) {
    tell(error)
  }
}

export async function stop() {
  const job = jobOf(studio.watched)
  try {
    if (job && job.state !== 'training') await post('/api/runs/cancel', { job: job.id })
    else await post('/api/runs/stop', { run: studio.watched })
  } catch (error) {
    tell(error)
  }
}

/** Forgets a run that failed before there was anything of it. */
export async function dismiss() {
  try {
    await post('/api/runs/cancel', { job: jobOf(studio.watched).id })
    watch(studio.runs.at(-1)?.name ?? null)
  } catch (error) {
    tell(error)
  }
}

export async function goOn(run = studio.watched) {
  try {
    await post('/api/runs/resume', { run })
    if (run !== studio.watched) watch(run)
  } catch (error) {
    tell(error)
  }
}

export const jobOf = (run) => studio.jobs.find((job) => job.run === `runs/${run}`)
export const summaryOf = (run) => studio.runs.find((each) => each.name === run)

/** Follows a run from its beginning. */
export function watch(run) {
  Object.assign(studio, { watched: run, run: emptyRun(), epoch: null })
  stream?.reopen()
  if (run && summaryOf(run)) show(run)
}

const query = () =>
  studio.watched ? `?run=${encodeURIComponent(studio.watched)}&after=${studio.run.seq}` : ''

function hear(event, data) {
  if (event === 'happened') {
    happened(studio.run, data)
    if (data.event === 'done' || data.event === 'stopped' || data.event === 'failed') show(studio.watched)
  } else {
    studio[event] = data
    if (event === 'runs' && !studio.watched && data.length) {
      const latest = data.find((each) => each.state === 'running') // such as one of the terminal
      if (latest) watch(latest.name)
    }
  }
}

/** What a run came to, from its files. */
export async function show(run) {
  try {
    const shown = await post('/api/runs/show', { run })
    if (studio.watched === run) studio.run.files = shown
  } catch (error) {
    if (!(error instanceof Refused)) tell(error)
  }
}
