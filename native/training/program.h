// A training step as data: the verbs that a mode declares in TypeScript (lib/training/program.ts) and the trainer runs.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "training/parts.h"

namespace facex::training {

// Names of values live in one flat table a step: "images", "labels", "embeddings", "loss", ...
struct BatchVerb { std::vector<std::string> images; std::string labels; };
struct ForwardVerb {
  std::string network, input;
  std::map<std::string, std::string> outputs;  // output of the graph -> value name
  bool gradient = true;          // keep for backward
  bool batch_statistics = true;  // batch norm in train mode
  bool stochastic = true;        // dropout active
};
struct HeadVerb {
  std::string head, embeddings, labels, loss;
  double weight = 1;
  std::string gallery = {};     // features that the embeddings are compared with, where the head needs some
  std::string centres_of = {};  // head whose class centres this one scores against, where it has none of its own
};
struct BackwardVerb {};                       // all heads and losses of this step, then every forward with gradient, last first
struct ClipVerb { double max_norm; std::string part; };  // norm of all gradients, or of those of one network or head
struct OptimizerVerb {};                      // one update, gradients cleared after
// Parameters: to = decay * to + (1 - decay) * from. Buffers stay the target's own unless they are to be copied.
struct EmaVerb { std::string from, to; double decay; bool copy_buffers = false; };
// Puts the features of one of `candidates` into the head's queue, chosen at random by (seed, step) or in turn.
struct EnqueueVerb { std::string head; std::vector<std::string> candidates; std::string labels; bool random = true; };

using Verb = std::variant<BatchVerb, ForwardVerb, HeadVerb, BackwardVerb, ClipVerb, OptimizerVerb, EmaVerb, EnqueueVerb>;
using Program = std::vector<Verb>;

// ErrorCode::kConfig naming the verb when it refers to something that does not exist, or when the order makes no sense.
void check_program(const Program& program, const Parts& parts);

}  // namespace facex::training
