// Arrays as dlspec writes them into pictures: quantized bytes in base64, little-endian, in C order.

export function decode({ shape, type, low, high, data }) {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0))
  const whole = type === 'u2' ? new Uint16Array(bytes.buffer) : bytes
  const step = (high - low) / (type === 'u2' ? 65535 : 255)
  return { shape, low, high, values: Float32Array.from(whole, (q) => low + step * q) }
}

/** One item of the first axis, with the rest of the shape. */
export function item(array, i) {
  const shape = array.shape.slice(1)
  const size = shape.reduce((a, b) => a * b, 1)
  return { ...array, shape, values: array.values.subarray(i * size, (i + 1) * size) }
}

/** How many numbers a pixel has: 3 of color, else 1. */
export const channels = (array) => (array.shape.length === 3 && array.shape[2] === 3 ? 3 : 1)

/** A flat array as the square that it may be. */
export function asPicture(array) {
  if (array.shape.length > 1) return array
  const side = Math.round(Math.sqrt(array.shape[0]))
  return { ...array, shape: side * side === array.shape[0] ? [side, side] : [1, array.shape[0]] }
}
