// From pixels to the network's first value.
#pragma once

#include "core/tensor.h"
#include "engine/network.h"

namespace facex::engine {

// uint8 [N, C, H, W] that lies as [N, H, W, C] to (x - pixel_mean) * pixel_scale, channels-last, in the compute dtype.
Tensor normalise_pixels(const Tensor& pixels, const NetworkOptions& options);

}  // namespace facex::engine
