// Heads without class centres: losses over the embeddings of a batch, or between them and those of another network.
#pragma once

#include <memory>

#include "heads/definition.h"

namespace facex::heads::metric {

// Over the pairs of a batch; needs identities with several images in it.
std::unique_ptr<Head> contrastive_head(const Definition& definition, const HeadOptions& options);
std::unique_ptr<Head> triplet_head(const Definition& definition, const HeadOptions& options);

// Embeddings should become those of a teacher, which come as the request's gallery. Option `distance`: `cosine`, the
// mean over the rows of 1 - cos, or `l2`, the mean over all elements of the squared difference.
std::unique_ptr<Head> distillation_head(const Definition& definition, const HeadOptions& options);

// Class probabilities should become those of a teacher (Hinton, Vinyals, Dean, arXiv:1503.02531): T^2 KL(teacher ||
// student), mean over the rows, of softmax(scale cos / T). The student's cosines are with the class centres that the
// request names, which learn with it; the teacher's are between the request's gallery, its embeddings, and the buffer
// `teacher`, its class centres in the shape that its head keeps them. Margins take no part.
// Values `temperature`, `scale`, `teacher_dim`; choices `student_head` and `teacher_head`.
std::unique_ptr<Head> logit_distillation_head(const Definition& definition, const HeadOptions& options);
// What of its state belongs to a class: where the student's centres are shared between ranks, so are the teacher's.
std::vector<ClassEntry> teacher_entries(const HeadOptions& options);

// Features of a layer should become those of a teacher's layer (FitNets, Romero et al., arXiv:1412.6550): mean squared
// difference over all elements, after a learned affine projection of the channels where the teacher has another number
// of them. Images [N, C, H, W] or rows [.., C]; feat_dim is the student's C, value `teacher_dim` the teacher's.
std::unique_ptr<Head> hint_head(const Definition& definition, const HeadOptions& options);

}  // namespace facex::heads::metric
