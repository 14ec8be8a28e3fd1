"""From a request to what will be measured: choices, sizes, and what the atlas knows already."""
