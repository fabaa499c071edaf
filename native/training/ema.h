// Exponential moving average of one network's parameters in another: the gallery of semi-siamese training, averaged
// weights for evaluation, a momentum teacher.
#pragma once

#include "engine/network.h"

namespace facex::training {

// to = decay * to + (1 - decay) * from for every parameter; buffers are copied when `copy_buffers` is set and stay
// the target's own otherwise. Both networks must have the same graph.
void update_average(engine::Network& from, engine::Network& to, double decay, bool copy_buffers);

}  // namespace facex::training
