"""What a person is told when a job of many photos is refused: part of ``errors.TEXTS``.

Each code has a sentence and a hint, in English and in Chinese, in the order of ``errors.Text``.
"""

JOB_TEXTS: dict[str, tuple[str, str, str, str]] = {
    "job_too_large": (
        "The job is larger than {limit_mb} MB.",
        "Divide the photos among several jobs.",
        "任务超过 {limit_mb} MB。",
        "请将照片分成多个任务提交。",
    ),
    "too_many_items": (
        "The job holds more than {limit} files.",
        "Divide the photos among several jobs.",
        "任务包含的文件超过 {limit} 个。",
        "请将照片分成多个任务提交。",
    ),
    "archive_bomb": (
        "The archive unpacks to more than {limit} times its size.",
        "Photos hardly shrink in an archive; make it anew, of the photos alone.",
        "压缩包解压后超过其大小的 {limit} 倍。",
        "照片几乎无法再压缩；请仅用照片重新打包。",
    ),
    "broken_archive": (
        "The archive is damaged, cut short, or not a zip.",
        "See whether it unpacks at your side, then make it anew and send it again.",
        "压缩包已损坏、不完整或不是 zip 文件。",
        "请确认压缩包可以正常解压，然后重新打包上传。",
    ),
    "unsafe_archive": (
        "The archive holds the name {name}, which leads out of its folder or is no file's name.",
        "Make the archive anew, with plain names, without .. and absolute paths.",
        "压缩包中的名称 {name} 指向文件夹之外，或不是有效的文件名。",
        "请使用普通文件名重新打包，不要包含 .. 或绝对路径。",
    ),
    "encrypted_archive": (
        "The archive is locked with a password.",
        "Make it anew without one; TLS protects it on its way.",
        "压缩包已加密。",
        "请重新打包且不设密码；传输过程可由 TLS 保护。",
    ),
    "missing_photos": (
        "The job holds no photos.",
        "Send multipart files named photo, a zip as the file archive or as the whole body, or keys "
        "in JSON.",
        "任务中没有照片。",
        "请以 multipart 字段 photo 上传照片，以 archive 字段或整个请求体上传 zip，"
        "或以 JSON 提供 keys。",
    ),
    "bad_override": (
        "Line {line} of the overrides cannot be used: {reason}.",
        "The table has the column file, and any of document, background and name.",
        "覆盖表第 {line} 行无效：{reason}。",
        "表格须有 file 列，可有 document、background、name 列。",
    ),
    "place_not_allowed": (
        "{name} is not among the places that photos may be read from.",
        "Whoever runs the service names these places in the setting allowed_keys.",
        "不允许从 {name} 读取照片。",
        "允许的位置由服务管理员在 allowed_keys 中设置。",
    ),
    "webhook_not_allowed": (
        "The webhook's address cannot be called: {reason}.",
        "Whoever runs the service names the hosts in the setting allowed_webhook_hosts.",
        "无法调用该 webhook 地址：{reason}。",
        "允许的主机由服务管理员在 allowed_webhook_hosts 中设置。",
    ),
    "unknown_job": (
        "There is no such job, or no longer.",
        "Jobs are erased when they are deleted, and some hours after their end.",
        "任务不存在或已被清除。",
        "任务在被删除后，或结束一段时间后会被清除。",
    ),
    "unknown_item": (
        "The job has no photo at position {position}.",
        "GET the job's items to see all positions.",
        "任务中没有位置为 {position} 的照片。",
        "可通过任务的 items 接口查看全部位置。",
    ),
    "idempotency_key_reused": (
        "This Idempotency-Key was used for another job.",
        "Use a new key for each job, and the same one only to repeat the very same request.",
        "该 Idempotency-Key 已用于其他任务。",
        "每个任务请使用新的键；仅在重复完全相同的请求时使用同一个键。",
    ),
    "no_result": (
        "This photo has no result: it is {state}.",
        "GET the job's items to see when it is done, or why it failed.",
        "该照片没有结果，当前状态为 {state}。",
        "可通过任务的 items 接口查看完成情况或失败原因。",
    ),
    "job_not_ended": (
        "The job has not ended: it is {state}.",
        "Wait for its end, which its events tell; the results of single photos are there before.",
        "任务尚未结束，当前状态为 {state}。",
        "请等待任务结束（可通过 events 获知）；单张结果可提前获取。",
    ),
    "too_many_streams": (
        "As many uploads, archives and listeners are open as are served at once.",
        "Try again after the seconds in Retry-After; GET the job tells its progress, too.",
        "同时打开的上传、打包下载和事件连接已达上限。",
        "请按 Retry-After 给出的秒数稍后重试；也可通过查询任务了解进度。",
    ),
    "storage_full": (
        "There is no room for this job.",
        "Delete jobs whose results you have, or wait until old ones are erased.",
        "存储空间不足，无法接收该任务。",
        "请删除已取回结果的任务，或等待旧任务被清除。",
    ),
}
