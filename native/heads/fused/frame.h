// What the frames of the fused heads have in common: their state, and the memory of the centres' gradient.
#pragma once

#include "heads/definition.h"

namespace facex::heads::fused {

class HeadFrame : public Head {
 public:
  HeadFrame(const Definition& definition, const HeadOptions& options)
      : definition_(definition), options_(options), state_(make_state(definition, options)) {}

  State& state() override { return state_; }
  void initialise(uint64_t seed) override { initialise_state(state_, definition_, options_, seed); }

 protected:
  // A gradient entry for the centres, in memory that is kept from step to step: fresh pages cost more than the arithmetic
  // on them.
  Tensor lend_gradient(const Tensor& centres);

  const Definition& definition_;
  const HeadOptions options_;
  State state_;

 private:
  Tensor centre_grad_;  // [M, D]
};

}  // namespace facex::heads::fused
