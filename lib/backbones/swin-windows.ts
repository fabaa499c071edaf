/**
 * The fixed tables of shifted-window attention.
 * @module
 */

/** Height and width in patches. */
export type Grid = readonly [height: number, width: number]

/** For each pair of places in a window, the row of the bias table for their offset: [w * w, w * w]. */
export function relativePositionIndex(window: number): number[] {
  const places = Array.from({ length: window ** 2 }, (_, i) => [Math.floor(i / window), i % window] as const)
  const side = 2 * window - 1
  return places.flatMap(([y, x]) => places.map(([otherY, otherX]) => (y - otherY + window - 1) * side + (x - otherX + window - 1)))
}

/**
 * What keeps places apart that only the roll has made neighbours: 0 within a region of the rolled grid, -100 across.
 * [windows, w * w, w * w].
 */
export function shiftMask([height, width]: Grid, window: number, shift: number): number[] {
  const band = (place: number, extent: number) => (place < extent - window ? 0 : place < extent - shift ? 1 : 2)
  const mask: number[] = []
  for (let top = 0; top < height; top += window) {
    for (let left = 0; left < width; left += window) {
      const regions = Array.from({ length: window ** 2 }, (_, i) => {
        const [y, x] = [top + Math.floor(i / window), left + (i % window)]
        return band(y, height) * 3 + band(x, width)
      })
      for (const own of regions) for (const other of regions) mask.push(own === other ? 0 : -100)
    }
  }
  return mask
}
