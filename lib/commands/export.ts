/**
 * `facex export`: a trained network as an ONNX file.
 * @module
 */
import { buildBackbone } from '../backbones/index.js'
import { FacexError } from '../errors.js'
import { encodeOnnx } from '../model/export-onnx.js'
import { loadExtensions } from '../model/extensions.js'
import { fitBackbone } from '../model/fit-weights.js'
import { writeAt, writeWhole } from '../model/formats/file-access.js'
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
  const { backbone, meta } = await loadWeights(file)
  if (meta === undefined) throw new FacexError('ERR_CHECKPOINT', `${file}: it does not say which network it is: make a checkpoint of it with facex convert`)
  const { height, width } = meta.preprocessing
  const { backbones } = await loadExtensions((meta.config['extensions'] ?? []) as string[])
  const { graph } = buildBackbone(meta.backbone.name, meta.backbone.config, { input: [3, height, width], table: backbones })
  const { tensors } = fitBackbone(graph, backbone, { file })
  const encoded = encodeOnnx(graph, tensors, meta.preprocessing)
  await writeWhole(out, async (handle) => writeAt(handle, encoded, 0))
  const error = await verifyOnnx(encoded, graph, tensors, meta.preprocessing)
  process.stderr.write(`${out}: ${encoded.length} bytes, ${error === undefined ? 'not verified: install onnxruntime-node to have it run' : `verified: relative error ${error.toExponential(1)}`}\n`)
  return 0
}
