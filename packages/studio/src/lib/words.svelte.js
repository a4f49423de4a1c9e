// Words of the page in English and Korean; each screen brings its own in `src/words/`.

const files = import.meta.glob('../words/*.js', { eager: true })
const words = { en: {}, ko: {} }
for (const path of Object.keys(files).sort())
  for (const language of ['en', 'ko']) Object.assign(words[language], files[path].default[language])

const KEY = 'dlspec-language'
export const speech = $state({ language: 'en' })

export function startLanguage(asked) {
  const kept = localStorage.getItem(KEY)
  speak(kept ?? asked ?? (navigator.language.startsWith('ko') ? 'ko' : 'en'), false)
}

export function speak(language, keep = true) {
  speech.language = language === 'ko' ? 'ko' : 'en'
  document.documentElement.lang = speech.language
  if (keep) localStorage.setItem(KEY, speech.language)
}

/** The words under a key in the language of the page; `{name}` in them is filled in. */
export function t(key, values = {}) {
  const text = words[speech.language][key] ?? words.en[key]
  if (text === undefined) throw new Error(`there are no words for ${key}`)
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''))
}

export const number = (value, digits = 4) => {
  if (value === null || value === undefined || Number.isNaN(value)) return '–'
  if (Number.isInteger(value)) return value.toLocaleString(speech.language)
  return Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-4)
    ? value.toExponential(2)
    : String(Number(value.toPrecision(digits)))
}

/** Seconds in words that a person reads: `8 s`, `3 min 20 s`. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return ''
  const whole = Math.max(0, Math.round(seconds))
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const ko = speech.language === 'ko'
  const parts = [[h, ko ? '시간' : ' h'], [m, ko ? '분' : ' min'], [s, ko ? '초' : ' s']]
  const shown = h ? parts.slice(0, 2) : m ? parts.slice(1) : parts.slice(2)
  return shown.filter(([n], i) => n || i === shown.length - 1).map(([n, unit]) => `${n}${unit}`).join(' ')
}
