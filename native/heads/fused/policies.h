// The fused heads, one maker each; the .cc file of the same name states formula, gradient and the edges.
#pragma once

#include <memory>

#include "heads/definition.h"

namespace facex::heads::fused {

std::unique_ptr<Head> ada_cos(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> ada_face(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> adam_softmax(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> am_softmax(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> arc_face(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> arc_neg_face(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> circle_loss(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> combined_margin(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> curricular_face(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> elastic_face(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> expression(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> mag_face(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> mv_softmax(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> npc_face(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> softmax(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> sst_prototype(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> sub_center_arc_face(const Definition& definition, const HeadOptions& options);

}  // namespace facex::heads::fused
