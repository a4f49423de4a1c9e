// The one stream of this tab. It is read by fetch, so that the token goes with it, and closed while the tab is hidden:
// a browser has six connections to a server.

import { asked } from './api.js'

const AGAIN = 1000

/**
 * Follows `/api/stream`.
 * @param {() => string} query what to ask for, asked anew with each connection
 * @param {(event: string, data: any) => void} hear
 * @param {(alive: boolean) => void} live whether the server answers
 */
export function follow(query, hear, live) {
  let control = null
  let timer = 0

  async function open() {
    clearTimeout(timer)
    control?.abort()
    const own = (control = new AbortController())
    try {
      const response = await asked(`/api/stream${query()}`, { signal: own.signal })
      if (!response.ok) throw new Error(String(response.status))
      live(true)
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      let rest = ''
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        const blocks = (rest + value).split('\n\n')
        rest = blocks.pop()
        for (const block of blocks) {
          const event = /^event: (.*)$/m.exec(block)
          const data = /^data: (.*)$/m.exec(block)
          if (event && data && own === control) hear(event[1], JSON.parse(data[1]))
        }
      }
    } catch (error) {
      if (own.signal.aborted) return
    }
    if (own !== control) return
    live(false)
    timer = setTimeout(open, AGAIN)
  }

  const seen = () => {
    if (document.hidden) {
      clearTimeout(timer)
      control?.abort()
      control = null
    } else open()
  }
  document.addEventListener('visibilitychange', seen)
  seen()
  return { reopen: () => document.hidden || open() }
}
