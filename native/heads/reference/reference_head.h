// A head run by its form and autograd. Slow on purpose: it is what the fused heads are held against, and what runs on
// devices without a fused kernel.
#pragma once

#include "heads/definition.h"
#include "heads/reference/form.h"

namespace facex::heads::reference {

class ReferenceHead final : public Head {
 public:
  ReferenceHead(const Definition& definition, const HeadOptions& options, Form form)
      : definition_(definition), options_(options), form_(form), state_(make_state(definition, options)) {}

  State& state() override { return state_; }
  void initialise(uint64_t seed) override { initialise_state(state_, definition_, options_, seed); }
  HeadResult run(const HeadRequest& request) override;

 private:
  const Definition& definition_;
  const HeadOptions options_;
  const Form form_;
  State state_;
};

// A maker for the table.
template <Form form>
std::unique_ptr<Head> make(const Definition& definition, const HeadOptions& options) {
  return std::make_unique<ReferenceHead>(definition, options, form);
}

// The prototype head keeps a queue instead of centres and is its own frame.
std::unique_ptr<Head> sst_prototype(const Definition& definition, const HeadOptions& options);

// A head that its options describe. ErrorCode::kConfig for a mistake in them.
std::unique_ptr<Head> expression_head(const Definition& definition, const HeadOptions& options);

}  // namespace facex::heads::reference
