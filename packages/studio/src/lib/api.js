// Requests to the server. The token comes in the fragment of the address, which no server sees, and is kept for this
// tab alone; every request has it in a header.

const KEY = 'dlspec-token'

function takeToken() {
  const given = /(?:^#|&)token=([\w-]+)/.exec(location.hash)
  if (given) {
    sessionStorage.setItem(KEY, given[1])
    history.replaceState(null, '', location.pathname)
  }
  return sessionStorage.getItem(KEY)
}

const token = takeToken()
export const hasToken = Boolean(token)

export class Refused extends Error {
  constructor(status, body) {
    super(body.error ?? `the server answered ${status}`)
    this.status = status
    this.body = body
  }
}

export function asked(path, options = {}) {
  return fetch(path, { ...options, headers: { ...options.headers, authorization: `Bearer ${token}` } })
}

async function answered(response) {
  const body = await response.json().catch(() => ({}))
  if (!response.ok) throw new Refused(response.status, body)
  return body
}

export const get = async (path) => answered(await asked(path))

export const post = async (path, body = {}) =>
  answered(
    await asked(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  )

/** Sends bytes: `file` is a Blob. */
export const upload = async (path, file) =>
  answered(await asked(path, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: file }))

/** Opens what the server made a ticket for in a tab of its own, or saves it. */
export function openTicket(address) {
  const link = document.createElement('a')
  link.href = address
  link.target = '_blank'
  link.rel = 'noopener'
  link.click()
}
