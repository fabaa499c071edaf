// Channels of images that lie channels-last on the CPU, taken apart and put together pixel by pixel. libtorch's own copies
// walk dimension by dimension, which costs more than the copy where a pixel has few channels.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace facex::engine::kernels {

// Whether x is some channels of such images: a pixel's channels side by side, pixels at equal distances.
bool is_channel_slice(const Tensor& x);

// The same values with nothing between them.
Tensor packed_channels(const Tensor& slice);

// Slices of images of one size and type behind each other along the channels.
Tensor joined_channels(const std::vector<Tensor>& slices);

}  // namespace facex::engine::kernels
