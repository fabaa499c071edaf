// Plain softmax: a linear layer without bias.
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits softmax(const Inputs& in) { return {in.embeddings.mm(in.centres.t())}; }

}  // namespace facex::heads::reference
