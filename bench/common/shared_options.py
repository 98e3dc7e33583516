"""Options that sizes and growth share: where data, report, build and packages lie."""
import os

import build


def parse(parser, here):
    """Adds them to the command's own and reads the command line; `here` is its folder."""
    parser.add_argument("--dir", default="/var/tmp", help="where the data lies (/var/tmp): a "
                        "folder below it is made and removed")
    parser.add_argument("--allow-tmpfs", action="store_true", help="that may be in memory: to "
                        "try the command, for no figure")
    parser.add_argument("--out", default=os.path.join(here, "report"), help="the report's folder")
    parser.add_argument("--build", default=os.path.join(build.ROOT, "build-peers"),
                        help="a build folder; made where it is missing")
    parser.add_argument("--built", action="store_true", help="take the build folder as it is")
    parser.add_argument("--cache", help="where Debian's packages are kept (BUILD/debian)")
    parser.add_argument("--add", action="store_true", help="to the rows of OUT, not instead")
    parser.add_argument("--report-only", action="store_true", help="anew from OUT/raw.jsonl")
    options = parser.parse_args()
    options.cache = os.path.abspath(options.cache or os.path.join(options.build, "debian"))
    options.out = os.path.abspath(options.out)
    return options
