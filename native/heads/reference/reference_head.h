// A head run by its form and autograd. Slow on purpose: it is what the fused heads are held against, and what runs on
// devices without a fused kernel.
#pragma once

#include "heads/definition.h"

namespace facex::heads::reference {

class ReferenceHead final : public Head {
 public:
  ReferenceHead(const Definition& definition, const HeadOptions& options)
      : definition_(definition), options_(options), state_(make_state(definition, options)) {}

  State& state() override { return state_; }
  void initialise(uint64_t seed) override { initialise_state(state_, definition_, options_, seed); }
  HeadResult run(const HeadRequest& request) override;

 private:
  const Definition& definition_;
  const HeadOptions options_;
  State state_;
};

}  // namespace facex::heads::reference
