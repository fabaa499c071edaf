// Memory of large CPU tensors. The system's allocator hands big blocks back to the kernel as soon as they are free and
// faults them in again, zeroed page by page, in the next step: a sixth of a training step. Ours keeps them, in huge pages
// where the kernel grants them.
#pragma once

namespace facex {

// From now on every CPU tensor of the process takes its memory here. Once is enough; more does nothing.
void keep_freed_memory();

// Hands memory that no tensor uses back to the system: after a network is gone, for example.
void release_freed_memory();

}  // namespace facex
