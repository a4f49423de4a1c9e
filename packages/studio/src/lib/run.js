// A run as its events tell it. Each kind of event changes the record; what is not known is left alone.

export const emptyRun = () => ({
  seq: 0,
  name: null,
  device: null,
  samples: null,
  stages: [],
  notes: [],
  warnings: [],
  pictures: [],
  ended: null, // the event that ended it: done, stopped or failed
  files: null, // what its files say, see /api/runs/show
})

const stage = (run, name) => {
  let found = run.stages.find((each) => each.name === name)
  if (!found) {
    found = { name, kind: '', epochs: 0, state: 'waits', rows: [], reason: '' }
    run.stages.push(found)
  }
  return found
}

const on = {
  begins(run, { name, stages, samples }) {
    run.name = name
    run.samples = samples
    for (const each of stages) Object.assign(stage(run, each.name), { kind: each.kind, epochs: each.epochs })
    run.ended = null
  },
  ready: (run, { device }) => (run.device = device),
  opens(run, { epochs_kept }) {
    run.ended = null
    run.notes = []
    let kept = epochs_kept // epochs behind the last checkpoint come again
    for (const each of run.stages) {
      each.rows = each.rows.slice(0, Math.max(0, kept))
      kept -= each.rows.length
      each.state = each.rows.length && each.state === 'done' ? 'done' : 'waits'
    }
    run.pictures = run.pictures.filter((each) => {
      const last = stage(run, each.stage).rows.at(-1)
      return last !== undefined && each.epoch <= last.epoch
    })
  },
  stage_begins(run, { stage: name, epochs }) {
    for (const each of run.stages) if (each.state === 'trains') each.state = 'done'
    Object.assign(stage(run, name), { epochs, state: 'trains' })
  },
  epoch_ends(run, { stage: name, epoch, loss, val_loss, measures, seconds }) {
    const found = stage(run, name)
    found.state = 'trains'
    found.rows.push({ epoch, loss, val_loss, measures, seconds })
  },
  stage_ends(run, { stage: name, reason }) {
    Object.assign(stage(run, name), { state: 'done', reason })
  },
  note: (run, { text }) => run.notes.push(text),
  remark: (run, { text }) => run.notes.push(text),
  warning: (run, event) => run.warnings.push(event),
  picture(run, event) {
    const gone = new Set(event.removed)
    if (gone.size) run.pictures = run.pictures.filter((each) => !gone.has(each.file))
    run.pictures.push(event)
  },
  done: (run, event) => end(run, event),
  stopped: (run, event) => end(run, event),
  failed: (run, event) => end(run, event),
}

function end(run, event) {
  run.ended = event
  for (const each of run.stages) if (each.state === 'trains') each.state = event.event === 'done' ? 'done' : 'stopped'
}

export function happened(run, event) {
  run.seq = event.seq
  on[event.event]?.(run, event)
}

/** Seconds that a stage still takes at the pace of its last epochs, if it is not ended early. */
export function secondsLeft(found) {
  const last = found.rows.slice(-8).map((row) => row.seconds).filter((seconds) => seconds > 0)
  if (!last.length || found.state === 'done') return null
  last.sort((a, b) => a - b)
  return last[last.length >> 1] * Math.max(0, found.epochs - found.rows.length)
}

/** Rows by stage, of the events or, of a run that has none, of its history. */
export function stagesOf(run) {
  if (run.stages.some((each) => each.rows.length) || !run.files?.history?.length) return run.stages
  const names = [...new Set(run.files.history.map((row) => row.stage))]
  return names.map((name) => {
    const rows = run.files.history.filter((row) => row.stage === name)
    const kind = name.startsWith('pretrain') ? 'pretrain' : 'fine_tune'
    return { name, kind, epochs: rows.length, state: 'done', rows, reason: '' }
  })
}
