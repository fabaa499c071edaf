// What a head's readable form is: a differentiable expression from embeddings and class centres to logits.
#pragma once

#include <map>
#include <string>

#include "core/state.h"
#include "heads/head.h"
#include "heads/reference/own_classes.h"

namespace facex::heads::reference {

struct Inputs {
  const HeadOptions& options;
  Tensor embeddings;                               // [N, D]
  const OwnClasses& labels;
  Tensor centres;                                  // [M, D], whatever the shape of the stored entry
  const std::map<std::string, Tensor>& parameters; // by name, as leaves of this step's autograd graph
  State& state;                                    // adaptive buffers
  bool adapt;
};

struct Logits {
  Tensor logits;        // [N, K], what cross-entropy sees
  // 0-d, added to the loss; undefined when the head has none. Where the classes are shared, the part of this rank.
  Tensor regulariser{};
};

using Form = Logits (*)(const Inputs&);

}  // namespace facex::heads::reference
