/**
 * SCRFD (Guo et al.: "Sample and computation redistribution for efficient face detection", ICLR 2022) with five points, as
 * insightface exports it: three scores, three sets of boxes, three of points, finest stride first; two anchors a place,
 * distances in strides.
 * @module
 */
import { STRIDES, type DetectedFace } from './anchors.js'
import type { DetectorFamily } from './family.js'

const ANCHORS = 2

export const scrfd: DetectorFamily = {
  name: 'SCRFD',
  // Its outputs are numbered and named differently in every file: nine, in this order.
  matches: (names) => names.length === 3 * STRIDES.length && !names.some((name) => /^(cls|obj|bbox|kps)_/.test(name)),
  pixels: { color: 'rgb', mean: 127.5, std: 128 },
  decode(outputs, names, size, least) {
    const faces: DetectedFace[] = []
    STRIDES.forEach((stride, level) => {
      const [scores, boxes, points] = [0, 1, 2].map((kind) => outputs[names[3 * kind + level]!]!.data) as [Float32Array, Float32Array, Float32Array]
      const columns = Math.ceil(size / stride)
      for (let anchor = 0; anchor < scores.length; anchor++) {
        const score = scores[anchor]!
        if (!(score >= least)) continue
        const place = Math.floor(anchor / ANCHORS)
        const [x, y] = [(place % columns) * stride, Math.floor(place / columns) * stride]
        const [left, top, right, bottom] = Array.from(boxes.subarray(4 * anchor, 4 * anchor + 4), (value) => value * stride) as [number, number, number, number]
        faces.push({
          score,
          left: x - left,
          top: y - top,
          right: x + right,
          bottom: y + bottom,
          points: Array.from(points.subarray(10 * anchor, 10 * anchor + 10), (value, i) => (i % 2 === 0 ? x : y) + value * stride),
        })
      }
    })
    return faces
  },
}
