// Drawing on a canvas, sharp on every screen.

/** The context of a canvas of so many pixels of the page, empty. */
export function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(height * ratio)
    canvas.style.width = `${width}px`
    canvas.style.height = `${height}px`
  }
  const context = canvas.getContext('2d')
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  return context
}

const scratch = document.createElement('canvas')

/** Paints rows × columns of colors, `paint(i) → [red, green, blue]`, into a rectangle; row 0 is on top. */
export function tile(context, rows, columns, paint, x, y, width, height, smooth = false) {
  scratch.width = columns
  scratch.height = rows
  const own = scratch.getContext('2d')
  const image = own.createImageData(columns, rows)
  for (let i = 0; i < rows * columns; i++) {
    const [r, g, b] = paint(i)
    image.data.set([r, g, b, 255], 4 * i)
  }
  own.putImageData(image, 0, 0)
  context.imageSmoothingEnabled = smooth
  context.drawImage(scratch, x, y, width, height)
}

const CLASSES = ['--first', '--second', '#0d9488', '#a855f7', '#ca8a04', '#db2777', '#65a30d', '#64748b', '#0891b2', '#dc2626']

export const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
export const classColor = (i) => {
  const color = CLASSES[i % CLASSES.length]
  return color.startsWith('--') ? style(color) : color
}

export const rgb = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16))
export const mix = (a, b, share) => a.map((v, i) => v + (b[i] - v) * share)
export const paper = () => rgb(style('--paper').length === 4 ? '#ffffff' : style('--paper'))

/** The color of a signed number: paper at 0, one color above, another below. */
export function signed(most) {
  const [zero, up, down] = [paper(), rgb(classColor(0)), rgb(classColor(1))]
  return (v) => mix(zero, v > 0 ? up : down, Math.min(1, Math.abs(v) / (most || 1)))
}

/** The color of a brightness between two bounds, light on dark or, of ink, dark on light as the page is. */
export function gray(low, high) {
  const [from, to] = [paper(), rgb(style('--ink'))]
  return (v) => mix(from, to, high !== low ? (v - low) / (high - low) : 0)
}
