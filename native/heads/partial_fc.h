// Partial FC (An et al., "Partial FC: Training 10 Million Identities on a Single Machine", arXiv:2010.05222) around any
// margin head: a run sees the classes of its batch and a random sample of the others, `sample_rate` of all together.
//
// The head inside is made for the sample. Centres and whatever else belongs to a class are gathered for it, and their
// gradients cover the sample only (Entry::grad_slices): optimizers then leave all other centres and their momentum as
// they are. Logits, gradients and copies grow with the sample, not with the number of classes.
//
// Everything of a class lives on HeadOptions::centres_device. Where that is the CPU and the head computes on another
// device, the sample travels there for a run and its gradient travels back, so the device holds no more than a sample.
#pragma once

#include "heads/definition.h"

namespace facex::heads {

// `make` makes the head inside. A batch with more identities than the sample has room for makes its sample larger.
std::unique_ptr<Head> make_partial_fc(const Definition& definition, const HeadOptions& options, MakeHead make);

// `count` of the classes from 0 to `classes` - 1, ascending: all of `kept` (ascending, without repeats) and a sample of
// the others that depends on `random_key` only, every subset equally likely. Draws grow with the sample; what grows with
// `classes` is one bit each.
std::vector<int64_t> sample_classes(const std::vector<int64_t>& kept, int64_t classes, int64_t count, uint64_t random_key);

}  // namespace facex::heads
