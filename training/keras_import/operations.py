"""Which operations a SavedModel may hold: arithmetic on tensors, variables, functions, control flow.

An allow-list, found without running anything: what is not named here could read or write files, call
Python or draw random numbers.
"""

import re
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

# Read by the function that restores variables, from the folder's own files; TensorFlow writes them
# into every SavedModel, and the signatures never call them.
_CHECKPOINT = frozenset(
    {"SaveV2", "RestoreV2", "ShardedFilename", "MergeV2Checkpoints", "StaticRegexFullMatch"}
)

ALLOWED = frozenset(
    """Abs Acos Acosh Add AddN AddV2 All Angle Any ApproximateEqual ArgMax ArgMin AsString Asin Asinh Assert
    AssignAddVariableOp AssignSubVariableOp AssignVariableOp Atan Atan2 Atanh AvgPool AvgPool3D BatchMatMul
    BatchMatMulV2 BatchMatMulV3 BatchToSpace BatchToSpaceND BiasAdd BiasAddV1 Bincount Bitcast BitwiseAnd
    BitwiseOr BitwiseXor BroadcastArgs BroadcastGradientArgs BroadcastTo Bucketize Case Cast Ceil CheckNumerics ClipByValue Complex
    Concat ConcatOffset ConcatV2 Conj Const ControlTrigger Conv Conv2D Conv2DBackpropFilter Conv2DBackpropInput Conv3D Conv3DBackpropInputV2 Cos Cosh CropAndResize Cross
    Cumprod Cumsum CumulativeLogsumexp DecodeBase64 DecodeRaw DenseBincount DepthToSpace
    DepthwiseConv2dNative DepthwiseConv2dNativeBackpropFilter
    DepthwiseConv2dNativeBackpropInput Dequantize DisableCopyOnRead DivNoNan Div DynamicPartition DynamicStitch Einsum Elu Empty
    EncodeBase64 EnsureShape Enter Equal Erf Erfc Erfinv Exit Exp ExpandDims Expm1 FakeQuantWithMinMaxArgs
    FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel Fill Floor FloorDiv FloorMod
    FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 FusedPadConv2D Gather GatherNd GatherV2 Greater
    GreaterEqual HashTableV2 Identity IdentityN If Imag InTopKV2 Inv Invert InvertPermutation IsFinite IsInf
    IsNan L2Loss LRN LeakyRelu LeftShift Less LessEqual Lgamma LinSpace Log Log1p LogSoftmax LogicalAnd
    LogicalNot LogicalOr LookupTableFindV2 LookupTableImportV2 LookupTableSizeV2 LoopCond LowerBound MatMul
    MatrixBandPart MatrixDiag MatrixDiagPart MatrixDiagPartV3 MatrixDiagV3 MatrixInverse MatrixSetDiag
    MatrixSetDiagV3 Max MaxPool MaxPool3D MaxPoolV2 Maximum Mean Merge Min Minimum
    MirrorPad Mod Mul MulNoNan MutableHashTableV2 Neg NextIteration NoOp
    NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5 NotEqual OneHot OnesLike Pack Pad PadV2
    ParallelConcat ParseExample ParseExampleV2 ParseSingleExample PartitionedCall Placeholder
    PlaceholderWithDefault Polygamma Pow PreventGradient Prod QuantizeAndDequantizeV2
    QuantizeAndDequantizeV3 QuantizeAndDequantizeV4 QuantizeV2 RaggedGather RaggedRange
    RaggedTensorFromVariant RaggedTensorToSparse RaggedTensorToTensor RaggedTensorToVariant Range Rank
    ReadVariableOp Real RealDiv Reciprocal RegexFullMatch RegexReplace Relu Relu6 Reshape ResizeArea
    ResizeBicubic ResizeBilinear ResizeNearestNeighbor ResourceGather ResourceGatherNd Reverse
    ReverseSequence ReverseV2 RightShift Rint Roll Round Rsqrt ScaleAndTranslate ScatterNd SegmentMax
    SegmentMean SegmentMin SegmentProd SegmentSum Select SelectV2 Selu Shape ShapeN Sigmoid Sign Sin Sinh
    Size Slice Snapshot Softmax Softplus Softsign SpaceToBatch SpaceToBatchND SpaceToDepth SparseFillEmptyRows
    SparseReshape SparseSegmentMean SparseSegmentSum SparseSegmentSqrtN SparseTensorDenseMatMul SparseToDense
    Split SplitV Sqrt Square SquaredDifference Squeeze StackPopV2 StackPushV2 StackV2 StatefulPartitionedCall
    StatelessCase StatelessIf StatelessWhile StaticRegexReplace StopGradient StridedSlice StringFormat
    StringJoin StringLength StringLower StringSplit StringSplitV2 StringStrip StringToHashBucketFast
    StringToHashBucketStrong StringToNumber StringUpper Sub Substr Sum Switch Tan Tanh TensorArrayCloseV3
    TensorArrayConcatV3 TensorArrayGatherV3 TensorArrayReadV3 TensorArrayScatterV3 TensorArraySizeV3
    TensorArraySplitV3 TensorArrayV3 TensorArrayWriteV3 TensorListConcatV2 TensorListElementShape
    TensorListFromTensor TensorListGather TensorListGetItem TensorListLength TensorListPopBack
    TensorListPushBack TensorListReserve TensorListResize TensorListScatter TensorListScatterIntoExistingList
    TensorListScatterV2 TensorListSetItem TensorListSplit TensorListStack TensorScatterAdd TensorScatterMax
    TensorScatterMin TensorScatterSub TensorScatterUpdate TensorStridedSliceUpdate Tile TopK TopKV2 Transpose
    TruncateDiv TruncateMod UnicodeDecodeWithOffsets UnicodeDecode UnicodeEncode UnicodeScript
    UnicodeTranscode Unique UniqueV2 Unpack UnravelIndex UnsortedSegmentMax UnsortedSegmentMean
    UnsortedSegmentMin UnsortedSegmentProd UnsortedSegmentSum UpperBound VarHandleOp VarIsInitializedOp
    Where While Xdivy Xlog1py Xlogy ZerosLike Zeta _FusedConv2D _FusedMatMul""".split()  # noqa: SIM905 - readable
)
# Random numbers: allowed in a graph, because a layer of dropout leaves them behind; import runs the
# graph twice and refuses it if they change its answer. And gradients of the operations above.
FAMILIES = re.compile(
    r"(?:Stateless)?(?:Random|Multinomial|TruncatedNormal|StatefulUniform|StatefulStandardNormal)"
    r"(?!\w*(?:Dataset|Reader|Shuffle))\w*"
    r"|StatelessRandom\w+|RngReadAndSkip|StatefulRandomBinomial"
    r"|(?!.*(?:Dataset|Summary|Variable))\w+Grad(?:V\d)?|GatherV2Grad"
)


def read_graph(path: Path) -> Any:
    """Parse the graph of a SavedModel directory; ValueError if there is none or it is damaged."""
    message = saved_model_pb2.SavedModel()
    try:
        message.ParseFromString((path / "saved_model.pb").read_bytes())
    except FileNotFoundError:
        raise ValueError(
            f"{path} is no SavedModel: it holds no saved_model.pb. model.export('folder') writes one"
        ) from None
    except DecodeError:
        raise ValueError(f"{path}/saved_model.pb is damaged: it cannot be parsed") from None
    if not message.meta_graphs:
        raise ValueError(f"{path}/saved_model.pb holds no graph")
    return message.meta_graphs[0]


def check_operations(path: Path, meta_graph: Any) -> None:
    """Refuse a graph with an operation that is not in the allow-list; ValueError names it.

    Saving and restoring is allowed in the one place where TensorFlow itself puts it: the functions of
    the saver, which no signature calls.
    """
    graph = meta_graph.graph_def
    savers = _saver_functions(meta_graph)
    for function in graph.library.function:
        allowed = _CHECKPOINT if function.signature.name in savers else frozenset()
        for node in function.node_def:
            _check(path, node, allowed)
    for node in graph.node:
        _check(path, node, _CHECKPOINT if node.name.startswith("save") else frozenset())


def _check(path: Path, node: Any, also: frozenset[str]) -> None:
    if node.op in ALLOWED or node.op in also or FAMILIES.fullmatch(node.op):
        return
    raise ValueError(
        f"{path} holds the operation {node.op} ({node.name}), which is not on the list of operations "
        "that a served model may have; it is not loaded"
    )


def _saver_functions(meta_graph: Any) -> set[str]:
    """Names of the functions that only the saver calls."""
    saver = meta_graph.saver_def
    names = {saver.save_tensor_name.split(":")[0], saver.restore_op_name.split(":")[0]}
    called = {
        attribute.func.name
        for node in meta_graph.graph_def.node
        if node.name in names
        for attribute in node.attr.values()
        if attribute.func.name
    }
    return called - _reachable_from_signatures(meta_graph)


def _reachable_from_signatures(meta_graph: Any) -> set[str]:
    functions = {one.signature.name: one for one in meta_graph.graph_def.library.function}
    saver = meta_graph.saver_def
    savers = {saver.save_tensor_name.split(":")[0], saver.restore_op_name.split(":")[0]}
    waiting = [
        attribute.func.name
        for node in meta_graph.graph_def.node
        if node.name not in savers
        for attribute in node.attr.values()
        if attribute.func.name
    ]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in reached or name not in functions:
            continue
        reached.add(name)
        for node in functions[name].node_def:
            for attribute in node.attr.values():
                waiting += [attribute.func.name] if attribute.func.name else []
                waiting += [one.name for one in attribute.list.func]
    return reached
