#include "driver/linked_image.h"
#include "rt/error.h"

#include <cstring>
#include <gtest/gtest.h>

TEST(LinkedImage, RoundTrip) {
    const std::vector<std::string> texts{".version 8.0", "", "second"};
    const auto image = shim::make_linked_image(texts);
    ASSERT_TRUE(shim::is_linked_image(image.data()));
    EXPECT_EQ(shim::read_linked_image(image.data()), texts);
}

TEST(LinkedImage, OtherImagesAreNone) {
    EXPECT_FALSE(shim::is_linked_image(".version 8.0"));
    EXPECT_FALSE(shim::is_linked_image("\x7f"
                                       "ELF"));
    EXPECT_FALSE(shim::is_linked_image(""));
}

TEST(LinkedImage, DamageIsFound) {
    auto image = shim::make_linked_image(std::vector<std::string>{"text"});
    const uint64_t absurd = ~uint64_t{0} - 3;
    std::memcpy(image.data() + 24, &absurd, sizeof absurd);
    EXPECT_THROW(shim::read_linked_image(image.data()), rt::Error);
}
