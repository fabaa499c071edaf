/**
 * YuNet (Wu, Peng, Yu: "YuNet: a tiny millisecond-level face detector", 2023), as OpenCV's zoo exports it: for each stride
 * a class and an objectness score, a box and five points a place.
 * @module
 */
import { STRIDES, type DetectedFace } from './anchors.js'
import type { DetectorFamily } from './family.js'

export const yunet: DetectorFamily = {
  name: 'YuNet',
  matches: (names) => STRIDES.every((stride) => ['cls', 'obj', 'bbox', 'kps'].every((kind) => names.includes(`${kind}_${stride}`))),
  pixels: { color: 'bgr', mean: 0, std: 1 },
  decode(outputs, _names, size, least) {
    const faces: DetectedFace[] = []
    for (const stride of STRIDES) {
      const [classes, objects, boxes, points] = ['cls', 'obj', 'bbox', 'kps'].map((kind) => outputs[`${kind}_${stride}`]!.data) as [Float32Array, Float32Array, Float32Array, Float32Array]
      const columns = size / stride
      for (let place = 0; place < classes.length; place++) {
        const score = Math.sqrt(clamp(classes[place]!) * clamp(objects[place]!))
        if (!(score >= least)) continue
        const [column, row] = [place % columns, Math.floor(place / columns)]
        const [dx, dy, width, height] = boxes.subarray(4 * place, 4 * place + 4) as unknown as [number, number, number, number]
        const [x, y, w, h] = [(column + dx) * stride, (row + dy) * stride, Math.exp(width) * stride, Math.exp(height) * stride]
        faces.push({
          score,
          left: x - w / 2,
          top: y - h / 2,
          right: x + w / 2,
          bottom: y + h / 2,
          points: Array.from(points.subarray(10 * place, 10 * place + 10), (value, i) => (value + (i % 2 === 0 ? column : row)) * stride),
        })
      }
    }
    return faces
  },
}

function clamp(value: number): number {
  return Math.max(0, Math.min(1, value))
}
