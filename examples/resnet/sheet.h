// Colour images with what a classifier says of them.
#pragma once

#include "data.h"

/// A PNG file of the images, the name of the predicted class under each; a wrong one in red, above the true one.
void write_sheet(const std::string& path, const std::string& title, const Images& images,
                 const weft::Array& predictions, const std::vector<std::string>& classes);
