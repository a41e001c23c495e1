{% set days = dbt.dates_in_range('20240101', '20240105') %}
{% set parts = dbt.partition_range('20240101,20240103') %}
select
    '{{ days | join(',') }}' as days,
    '{{ parts | join(',') }}' as parts,
    '{{ dbt.convert_datetime('20240229', '%Y%m%d').isoformat() }}' as leap,
    {{ dbt.py_current_timestring() | length }} as width
