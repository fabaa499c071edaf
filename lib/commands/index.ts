/**
 * The table of commands, in the order of `facex --help`. A new command is one line here and one file beside.
 * @module
 */
import type { Command } from './command.js'

export const commands: readonly Command[] = [
  { name: 'train', summary: 'train a model as a configuration describes', load: () => import('./train.js') },
  { name: 'launch', summary: 'train with several processes, on one or more machines', load: () => import('./launch.js') },
  { name: 'evaluate', summary: 'figures of a model on test sets: LFW, CFP, AgeDB, RFW, any pairs', load: () => import('./evaluate.js') },
  { name: 'extract', summary: 'embeddings of images as a NumPy file', load: () => import('./extract.js') },
  { name: 'compare', summary: 'cosine similarity of two faces', load: () => import('./compare.js') },
  { name: 'identify', summary: 'who of a gallery is on a photo', load: () => import('./identify.js') },
  { name: 'search', summary: 'most similar embeddings of a gallery of any size', load: () => import('./search.js') },
  { name: 'align', summary: 'cut aligned faces out of photographs', load: () => import('./align.js') },
  { name: 'dataset', summary: 'inspect, verify, clean, mask, preview, pack, unpack, merge and split data sets', load: () => import('./dataset.js') },
  { name: 'report', summary: 'curves and figures of runs as one HTML page', load: () => import('./report.js') },
  { name: 'table', summary: 'runs side by side as a Markdown table', load: () => import('./table.js') },
  { name: 'setup', summary: 'fetch libtorch into the user cache', load: () => import('./setup.js') },
  { name: 'bundle', summary: 'all of facex in one archive, for a machine without network', load: () => import('./bundle.js') },
  { name: 'doctor', summary: 'print what facex runs on: Node, addon, libtorch, devices, image libraries', load: () => import('./doctor.js') },
  { name: 'config', summary: 'check, show or describe configurations', load: () => import('./config.js') },
  { name: 'recipes', summary: 'list the shipped configurations of published settings', load: () => import('./recipes.js') },
  { name: 'backbones', summary: 'list the backbones with their options', load: () => import('./backbones.js') },
  { name: 'convert', summary: 'weights between checkpoints, safetensors and PyTorch files', load: () => import('./convert.js') },
  { name: 'export', summary: 'a trained network as an ONNX file, verified', load: () => import('./export.js') },
  { name: 'inspect', summary: 'what a file of weights holds', load: () => import('./inspect.js') },
  { name: 'estimate', summary: 'memory of a training run before it starts', load: () => import('./estimate.js') },
  { name: 'cost', summary: 'parameters, multiply-adds and memory of a backbone', load: () => import('./cost.js') },
  { name: 'bench', summary: 'speed and memory of training steps on this machine', load: () => import('./bench.js') },
]
