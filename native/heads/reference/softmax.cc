// Plain softmax: a linear layer without bias.
#include "heads/reference/forms.h"

namespace facex::heads::reference {

Logits softmax(const Inputs& in) { return {products(in, in.embeddings, in.centres)}; }

}  // namespace facex::heads::reference
