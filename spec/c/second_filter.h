/* second_filter.h -- a second evaluator of filters, written from the rules (filter.h, path.h, order.h) and not from the code.
** Filters must be valid, their paths of single digits and names; regular expressions one of: ^a b$ a A and the empty one. */
#ifndef LD_SECOND_FILTER_H
#define LD_SECOND_FILTER_H

#include "../../csrc/value.h"

bool second_filter_holds(ld_slice filter, ld_slice document);

#endif
