// The fused heads, one maker each; see the .cc file of the same name for formula and gradient.
#pragma once

#include <memory>

#include "heads/definition.h"

namespace facex::heads::fused {

std::unique_ptr<Head> am_softmax(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> arc_face(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> softmax(const Definition& definition, const HeadOptions& options);

}  // namespace facex::heads::fused
