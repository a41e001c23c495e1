{% macro apply_grants(relation, grant_config, should_revoke) %}
    {% do return(adapter.dispatch('apply_grants', 'dbt')(relation, grant_config, should_revoke)) %}
{% endmacro %}

{# A relation that may hold grants is compared with the configured ones; a new one is given all of them. #}
{% macro default__apply_grants(relation, grant_config, should_revoke=True) %}
    {% if not grant_config %}
        {% do return('') %}
    {% endif %}

    {% set missing = grant_config %}
    {% set surplus = {} %}
    {% if should_revoke %}
        {% set held = adapter.standardize_grants_dict(run_query(get_show_grant_sql(relation))) %}
        {% set missing = diff_of_two_dicts(grant_config, held) %}
        {% set surplus = diff_of_two_dicts(held, grant_config) %}
    {% endif %}

    {% set changes = get_dcl_statement_list(relation, surplus, get_revoke_sql)
                     + get_dcl_statement_list(relation, missing, get_grant_sql) %}
    {% if changes %}
        {% do call_dcl_statements(changes) %}
    {% else %}
        {% do log('The grants on ' ~ relation.render() ~ ' are as configured') %}
    {% endif %}
{% endmacro %}
