/**
 * `facex export`: a trained network as an ONNX file.
 * @module
 */
import { FacexError } from '../errors.js'
import { encodeOnnx } from '../model/export-onnx.js'
import { writeAt, writeWhole } from '../model/formats/file-access.js'
import { fitNetwork } from '../model/network.js'
import { verifyOnnx } from '../model/verify-onnx.js'
import { loadWeights } from '../model/weights.js'
import { parseOptions } from './options.js'

export const usage = `Usage: facex export --weights FILE --out FILE.onnx

Writes the network of a facex checkpoint as ONNX (operator set 18): input "images", float [N, C, H, W] after pixel
normalisation, output "embedding" [N, D]. The file's metadata says colour order, mean, std and size. Where the package
onnxruntime-node is installed, the file is run and compared with facex's own engine. Make a checkpoint of weights that
do not describe themselves with \`facex convert\`.

--weights FILE  the checkpoint
--out FILE      the file to write
`

export async function run(argv: string[]): Promise<number> {
  const { values } = parseOptions(argv, { weights: { type: 'string' }, out: { type: 'string' } })
  const { weights: file, out } = values
  if (file === undefined || out === undefined) throw new FacexError('ERR_USAGE', 'export needs --weights and --out')
  const weights = await loadWeights(file)
  const { meta } = weights
  if (meta === undefined) throw new FacexError('ERR_CHECKPOINT', `${file}: it does not say which network it is: make a checkpoint of it with facex convert`)
  const { graph, tensors } = await fitNetwork(weights, meta.backbone)
  const encoded = encodeOnnx(graph, tensors, meta.preprocessing)
  await writeWhole(out, async (handle) => writeAt(handle, encoded, 0))
  const error = await verifyOnnx(encoded, graph, tensors, meta.preprocessing)
  process.stderr.write(`${out}: ${encoded.length} bytes, ${error === undefined ? 'not verified: install onnxruntime-node to have it run' : `verified: relative error ${error.toExponential(1)}`}\n`)
  return 0
}
