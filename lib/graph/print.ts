/**
 * A graph as text, one node a line:
 * `%3 = prelu(%2) weight=conv1.prelu.weight -> [64, 56, 56]  # conv1.prelu`.
 * @module
 */
import { formatShape } from './shape.js'
import type { Graph, Node } from './types.js'

/** For people and for comparing graphs; nothing reads it back. */
export function printGraph(graph: Graph): string {
  const outputs = Object.entries(graph.outputs).map(([name, id]) => `output ${name} = %${id}`)
  return [`graph ${graph.name}`, ...graph.nodes.map(printNode), ...outputs, ''].join('\n')
}

function printNode(node: Node): string {
  const operands = node.inputs.map((id) => `%${id}`).join(', ')
  const attrs = Object.entries(node.attrs).map(([name, value]) => `${name}: ${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}`)
  const params = Object.entries(node.params).map(([role, name]) => `${role}=${name}`)
  const details = [...(attrs.length > 0 ? [`{${attrs.join(', ')}}`] : []), ...params]
  return [`%${node.id} = ${node.op}(${operands})`, ...details, `-> ${formatShape(node.shape)}`, ` # ${node.path}`].join(' ')
}
