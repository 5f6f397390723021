#include <dnnl.hpp>
