/** Prints what the kernels compute under the instruction set that ATEN_CPU_CAPABILITY names. @module */
import { computeAll } from './kernel-cases.js'

process.stdout.write(JSON.stringify(computeAll()))
