//! What Pathway itself wrote for the same pushes. Its times stand in the files as ranks.
