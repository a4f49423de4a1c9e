// Cameras, microphones and files, as what dlspec takes: pixels, and samples of one channel.

/** A video of the camera into an element; gives what ends it. */
export async function camera(video) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } })
  video.srcObject = stream
  await video.play()
  return () => stream.getTracks().forEach((track) => track.stop())
}

/** A picture or video in the middle of a canvas of so many pixels. */
export function cut(source, width, height) {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const [w, h] = [source.videoWidth ?? source.width, source.videoHeight ?? source.height]
  const scale = Math.max(width / w, height / h)
  canvas.getContext('2d').drawImage(source, (width - w * scale) / 2, (height - h * scale) / 2, w * scale, h * scale)
  return canvas
}

/** Pixels from 0 to 1 as dlspec reads arrays: (rows, columns) or, of three channels, (rows, columns, 3). */
export function pixels(canvas, channels) {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  let bytes = ''
  for (let i = 0; i < data.length; i += 4) {
    if (channels === 3) bytes += String.fromCharCode(data[i], data[i + 1], data[i + 2])
    else bytes += String.fromCharCode(Math.round(0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2]))
  }
  const shape = [canvas.height, canvas.width, ...(channels ? [channels] : [])]
  return { shape, type: 'u1', low: 0, high: 1, data: btoa(bytes) }
}

/** So many seconds of the microphone, as a blob. */
export async function record(seconds) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true })
  const recorder = new MediaRecorder(stream)
  const parts = []
  recorder.ondataavailable = (event) => parts.push(event.data)
  const done = new Promise((resolve) => (recorder.onstop = resolve))
  recorder.start()
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds))
  recorder.stop()
  await done
  stream.getTracks().forEach((track) => track.stop())
  return new Blob(parts)
}

/** A sound file at another rate, one channel, so many samples from its beginning, silence behind. */
export async function samplesOf(blob, rate, length) {
  const own = new OfflineAudioContext(1, Math.max(1, length), rate)
  const decoded = await own.decodeAudioData(await blob.arrayBuffer())
  const source = own.createBufferSource()
  source.buffer = decoded
  source.connect(own.destination)
  source.start()
  return (await own.startRendering()).getChannelData(0)
}

function base64(bytes) {
  let text = ''
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return btoa(text)
}

/** Samples from -1 to 1 as dlspec reads arrays. */
export function sound(samples) {
  const whole = Uint16Array.from(samples, (v) => Math.round(((Math.min(1, Math.max(-1, v)) + 1) / 2) * 65535))
  return { shape: [samples.length], type: 'u2', low: -1, high: 1, data: base64(new Uint8Array(whole.buffer)) }
}

/** Samples as a file of WAV, 16 bits, in base64. */
export function wav(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length))
  const word = (at, text) => [...text].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)))
  word(0, 'RIFF')
  view.setUint32(4, 36 + 2 * samples.length, true)
  word(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, rate, true)
  view.setUint32(28, 2 * rate, true)
  view.setUint16(32, 2, true)
  view.setUint16(34, 16, true)
  word(36, 'data')
  view.setUint32(40, 2 * samples.length, true)
  samples.forEach((v, i) => view.setInt16(44 + 2 * i, Math.round(Math.min(1, Math.max(-1, v)) * 32767), true))
  return base64(new Uint8Array(view.buffer))
}
