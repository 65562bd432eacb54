"""Files and folders that appear whole or not at all; texts that people read, and that they type."""

from memspice.outputs.files import DISK_FULL as DISK_FULL
from memspice.outputs.files import TEMPORARY as TEMPORARY
from memspice.outputs.files import check_file as check_file
from memspice.outputs.files import check_parent as check_parent
from memspice.outputs.files import check_replaceable as check_replaceable
from memspice.outputs.files import claim_folder as claim_folder
from memspice.outputs.files import is_ours as is_ours
from memspice.outputs.files import make_folder as make_folder
from memspice.outputs.files import replacing as replacing
from memspice.outputs.files import write_bytes as write_bytes
from memspice.outputs.files import write_text as write_text
from memspice.outputs.files import writing as writing
from memspice.outputs.folders import FolderBuild as FolderBuild
from memspice.outputs.folders import building as building
from memspice.outputs.printable import printable as printable
from memspice.outputs.typed import number_or_word as number_or_word
from memspice.outputs.typed import parse_tile as parse_tile
