select
    case when {{ dbt.equals('1', '1') }} then 'same' else 'other' end as plain,
    {{ dbt.current_timestamp() }} is not null as clock,
    {{ dbt.snapshot_get_time() }} is not null as snapshot_clock,
    {{ dbt.current_timestamp_backcompat() }} is not null as old_clock,
    {{ dbt.current_timestamp_in_utc_backcompat() }} is not null as old_utc_clock,
    {{ dbt.get_powers_of_two(100) }} as seven
